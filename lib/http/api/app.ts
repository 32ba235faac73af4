import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import swagger from '@fastify/swagger';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { DEFAULT_LIMITS, type Limits } from '../../asyncrpc/limits.ts';
import { EncodedReply, type Reply, StreamedReply } from '../../asyncrpc/service.ts';
import { type Json, parseMessage } from '../../asyncrpc/wire/messages.ts';
import { ProtocolError } from '../../errors.ts';
import { packageVersion } from '../../package-version.ts';
import { PROBLEM_CONTENT, PROBLEMS, problemOf, SAFE_HEADERS } from '../problem.ts';
import type { SignIn, SignInAnswer } from '../sign-in/sign-in.ts';
import type { Caller } from './call.ts';
import { describe } from './describe.ts';
import { ApiProblem, failureOf } from './failure.ts';
import { SPAN } from './history.ts';
import type { ApiRoute } from './route.ts';
import { API_ROUTES } from './routes.ts';
import { HISTORY_VIEW, SESSION, SIGN_IN, STATUS } from './schemas.ts';

/** Below this everything is of the API. */
export const API_PATH = '/api/v1';

/** What the API needs of the door. */
export interface ApiHost {
  readonly limits: Pick<Limits, 'maxHttpBodyBytes' | 'maxJsonDepth' | 'maxJsonKeys'>;
  /** Whoever makes a request, once it is known to be of no other site's page; what is wrong with its login is thrown. */
  callerOf(request: IncomingMessage): Promise<Caller>;
  readonly signIn: SignIn;
  /** Resolves when an answer of any length may be fetched for the request's client; null when it may be at once. */
  untilRoom(request: IncomingMessage): Promise<void> | null;
  /** Whether the client has not said who it is, and a login would be taken of it. */
  lacksLogin(request: IncomingMessage): boolean;
  /** Whether it is asked for one by `WWW-Authenticate`. */
  asksForLogin(request: IncomingMessage): boolean;
  /** Something went wrong that the client is not to blame for. */
  onFailure(request: IncomingMessage, error: unknown): void;
  /** A request is refused: limits that it went past are counted. */
  onRefusal(error: unknown): void;
  status(caller: Caller): Promise<Json>;
  history(caller: Caller, query: Readonly<Record<string, string>>): Promise<Reply>;
}

/** The API: answers a request, and its description as an OpenAPI document. */
export interface Api {
  answer(request: IncomingMessage, response: ServerResponse): void;
  readonly document: object;
}

export async function createApi(host: ApiHost): Promise<Api> {
  const { limits } = host;
  const app = fastify({
    bodyLimit: limits.maxHttpBodyBytes,
    // The longest text of the protocol is 1 KiB, each byte three as it stands in a path.
    routerOptions: { maxParamLength: 4096 },
    // The door has limits of its own for all connections.
    requestTimeout: 0,
    frameworkErrors: (error, request, reply) => fail(host, error, request, reply),
  });
  // A request is checked by the command it is, and by nothing else; what is sent is text already.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  readBodies(app, limits);
  app.setErrorHandler((error, request, reply) => fail(host, error, request, reply));
  app.setNotFoundHandler((request, reply) => notFound(host, request, reply));
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'bakeserv', version: packageVersion(), license: { name: 'Apache-2.0' } },
      servers: [{ url: '/' }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'basic' } } },
      security: [{ token: [] }, {}],
    },
  });
  await app.register(async (routes) => {
    for (const route of API_ROUTES) addRoute(routes, route, host);
    for (const route of OWN_ROUTES)
      routes.get(API_PATH + route.path, { schema: describe(route) }, async (request, reply) => {
        const caller = await callerOf(host, request, reply);
        const answer = await route.answerTo(host, caller, textsOf(request.query, route.query ?? {}));
        await sendReply(reply, 200, answer);
      });
    addSignIn(routes, host);
  });
  await app.ready();
  const document = app.swagger();
  const text = `${JSON.stringify(document)}\n`;
  return {
    document,
    answer(request, response) {
      const { method, url } = request;
      if (url !== `${API_PATH}/openapi.json` || (method !== 'GET' && method !== 'HEAD'))
        return app.routing(request, response);
      response.writeHead(200, {
        'content-type': JSON_CONTENT,
        ...SAFE_HEADERS,
        'content-length': Buffer.byteLength(text),
      });
      response.end(method === 'HEAD' ? undefined : text);
    },
  };
}

/** The description of the API alone, for the documentation. */
export async function openApiDocument(): Promise<object> {
  const nobody = () => {
    throw new Error('nobody asks');
  };
  const host = {
    callerOf: nobody,
    untilRoom: nobody,
    lacksLogin: nobody,
    onFailure: nobody,
    onRefusal: nobody,
    asksForLogin: nobody,
    signIn: { who: nobody, begin: nobody, end: nobody },
    status: nobody,
    history: nobody,
  };
  return (await createApi({ ...host, limits: DEFAULT_LIMITS })).document;
}

/** What is asked of the server itself, and is no command of a service. */
const OWN_ROUTES: readonly OwnRoute[] = [
  {
    path: '/status',
    summary: 'How the server is',
    id: 'getStatus',
    tag: 'server',
    answer: STATUS,
    answerTo: (host, caller) => host.status(caller),
  },
  {
    path: '/history',
    summary: 'What the server has counted over time',
    id: 'getHistory',
    tag: 'server',
    query: SPAN,
    answer: HISTORY_VIEW,
    answerTo: (host, caller, query) => host.history(caller, query),
  },
];

interface OwnRoute extends Pick<ApiRoute, 'path' | 'summary' | 'id' | 'answer' | 'query'> {
  readonly tag: 'server';
  answerTo(host: ApiHost, caller: Caller, query: Readonly<Record<string, string>>): Promise<Reply>;
}

const JSON_CONTENT = 'application/json; charset=utf-8';
const SESSION_PATH = `${API_PATH}/session`;

/** The caller of a request, for as long as its answer takes. */
async function callerOf(host: ApiHost, request: FastifyRequest, reply: FastifyReply): Promise<Caller> {
  const caller = await host.callerOf(request.raw);
  if (reply.raw.closed) caller.close();
  else reply.raw.once('close', () => caller.close());
  return caller;
}

/** Who asks, and signing in and out: no commands of the protocol. */
function addSignIn(app: FastifyInstance, { signIn }: ApiHost): void {
  const give = (reply: FastifyReply, { answer, cookie }: SignInAnswer) => {
    if (cookie !== undefined) reply.header('set-cookie', cookie);
    return send(reply, 200, `${JSON.stringify(answer)}\n`);
  };
  const told = { tag: 'users', answer: SESSION };
  const who = describe({ ...told, summary: 'Who asks, and which commands are open to that client', id: 'getSession' });
  const begin = { ...told, summary: 'Signs in on the page: the answer has a cookie', id: 'signIn', body: SIGN_IN };
  const end = describe({ ...told, summary: 'Signs out on the page', id: 'signOut' });
  app.get(SESSION_PATH, { schema: who }, async ({ raw }, reply) => give(reply, await signIn.who(raw)));
  app.post(SESSION_PATH, { schema: describe(begin) }, async (request, reply) =>
    give(reply, await signIn.begin(request.raw, bodyOf(request, begin))),
  );
  app.delete(SESSION_PATH, { schema: end }, async ({ raw }, reply) => give(reply, await signIn.end(raw)));
}

function addRoute(app: FastifyInstance, route: ApiRoute, host: ApiHost): void {
  const { method, path, service, command, status = 200 } = route;
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  app.route({
    method,
    url: API_PATH + path,
    schema: describe({ ...route, names }),
    async handler(request, reply) {
      const caller = await callerOf(host, request, reply);
      const given = {
        path: request.params as Readonly<Record<string, string>>,
        query: textsOf(request.query, route.query ?? {}),
        body: bodyOf(request, route),
      };
      const protocol = typeof service === 'string' ? service : service(given);
      const answer = await caller.run(protocol, command, route.argument(given), () => host.untilRoom(request.raw));
      if (isMiss(answer)) throw missOf(route);
      await sendReply(reply, status, answer);
    },
  });
}

/** Bodies are JSON within the limits of a message. */
function readBodies(app: FastifyInstance, { maxJsonDepth, maxJsonKeys }: ApiHost['limits']): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes: Buffer, done) => {
    try {
      if (!isUtf8(bytes)) throw new ProtocolError('the body is not valid UTF-8');
      done(null, parseMessage(bytes.toString(), maxJsonDepth, maxJsonKeys));
    } catch (error) {
      done(error as Error);
    }
  });
}

function bodyOf({ body }: FastifyRequest, route: Pick<ApiRoute, 'body'>): { readonly [key: string]: Json } {
  if (!route.body) return {};
  if (body === undefined) throw new ApiProblem('bad-request', 'A body is missing: an object as application/json.');
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw new ApiProblem('invalid', 'The body must be an object.');
  return body as { readonly [key: string]: Json };
}

/** The parameters behind the question mark. One that is unknown would be taken for one that was heeded. */
function textsOf(query: unknown, known: Readonly<Record<string, object>>): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(query as Readonly<Record<string, unknown>>)) {
    if (!Object.hasOwn(known, name))
      throw new ApiProblem('invalid', `There is no parameter ${JSON.stringify(name.slice(0, 64))} here.`);
    if (typeof value !== 'string') throw new ApiProblem('invalid', `${name} is given twice.`);
    texts[name] = value;
  }
  return texts;
}

/** The protocol answers null, or a value that is null, where there is nothing. */
function isMiss(answer: Reply): boolean {
  if (answer === null) return true;
  return typeof answer === 'object' && 'value' in answer && answer.value === null;
}

/** Where something is written, nothing as the answer is how a read-only server says so. */
function missOf({ method }: ApiRoute): ApiProblem {
  if (method === 'GET') return new ApiProblem('not-found', 'Nothing of that is known here.');
  return new ApiProblem('read-only', 'Nothing is stored for clients of this listener.');
}

function sendReply(reply: FastifyReply, status: number, answer: Reply): FastifyReply {
  if (answer instanceof StreamedReply) return send(reply, status, Readable.from(answer.pieces));
  return send(reply, status, `${answer instanceof EncodedReply ? answer.text : JSON.stringify(answer)}\n`);
}

function send(reply: FastifyReply, status: number, body: string | Readable): FastifyReply {
  return reply.code(status).headers(SAFE_HEADERS).type(JSON_CONTENT).send(body);
}

function fail(host: ApiHost, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  // Whoever sends half a request and is gone, or was told why it is closed, gets nothing more.
  if (isCutOff(request.raw, error)) return;
  const { isOurs, ...problem } = failureOf(error);
  if (isOurs) host.onFailure(request.raw, error);
  else host.onRefusal(error);
  let { type, detail } = problem;
  // Without a login a right is lacking because of that, where one would be taken.
  if (type === 'forbidden' && host.lacksLogin(request.raw)) type = 'unauthorized';
  if (type === 'unauthorized' && host.asksForLogin(request.raw))
    reply.header('www-authenticate', 'Basic realm="bakeserv", charset="UTF-8"');
  const [status] = PROBLEMS[type];
  if (status === 503) reply.header('retry-after', '1');
  void reply
    .code(status)
    .headers(SAFE_HEADERS)
    .type(PROBLEM_CONTENT)
    .send(`${JSON.stringify(problemOf(type, detail))}\n`);
}

const isCutOff = ({ complete, destroyed }: IncomingMessage, error: unknown) =>
  !complete && destroyed && error instanceof Error && 'code' in error && error.code === 'ECONNRESET';

function notFound(host: ApiHost, request: FastifyRequest, reply: FastifyReply): void {
  const path = request.url.split('?', 1)[0]!;
  const allowed = methodsAt(path);
  if (allowed.length === 0)
    return fail(host, new ApiProblem('not-found', `There is nothing at ${path.slice(0, 128)}.`), request, reply);
  const methods = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  reply.header('allow', methods);
  fail(host, new ApiProblem('method-not-allowed', `This path takes ${methods}.`), request, reply);
}

function methodsAt(path: string): string[] {
  const own = [...OWN_ROUTES.map((route) => route.path), '/openapi.json'].includes(path.slice(API_PATH.length))
    ? ['GET']
    : [];
  if (path === SESSION_PATH) own.push('GET', 'POST', 'DELETE');
  const routes = API_ROUTES.filter((route) =>
    new RegExp(`^${API_PATH}${route.path.replaceAll(/:\w+/g, '[^/]+')}$`).test(path),
  );
  return [...own, ...routes.map(({ method }) => method)];
}
