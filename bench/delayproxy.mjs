// delayproxy LISTEN_PORT TARGET_PORT MS: a loopback TCP proxy that holds every byte back MS milliseconds each way,
// without limiting throughput: a far-away upstream on one machine. Ends itself after 300 s.
import net from 'node:net';

const [listen, target, ms] = process.argv.slice(2).map(Number);
const pipe = (from, to) => {
  from.on('data', (d) => setTimeout(() => to.writable && to.write(d), ms));
  from.on('end', () => setTimeout(() => to.end(), ms));
  from.on('error', () => to.destroy());
};
net
  .createServer({ noDelay: true }, (a) => {
    const b = net.connect({ port: target, host: '127.0.0.1', noDelay: true });
    pipe(a, b);
    pipe(b, a);
  })
  .listen(listen, '127.0.0.1', () => console.log('ready'));
setTimeout(() => process.exit(0), 300_000).unref();
