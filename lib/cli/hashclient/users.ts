import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { UserReply } from '../../hashserv/client-types.ts';
import type { Out } from '../client/out.ts';
import type { HashCall } from './call.ts';

/** The fields of a reply, each on a line. */
async function show(out: Out, user: UserReply | null): Promise<undefined> {
  await out.result(user as unknown as Json, () => {
    const lines: string[] = [];
    if (user?.username !== undefined) lines.push(`Username:    ${user.username}`);
    if (user?.permissions !== undefined) lines.push(`Permissions: ${user.permissions.join(' ')}`);
    if (user?.token !== undefined) lines.push(`Token:       ${user.token}`);
    return lines;
  });
}

export async function getUser({ args, out, client }: HashCall): Promise<undefined> {
  return show(out, await (await client()).getUser(args.text('username')));
}

export async function newUser({ args, out, client }: HashCall): Promise<undefined> {
  return show(out, await (await client()).newUser(args.need('username'), args.list('PERMISSION')));
}

export async function setUserPermissions({ args, out, client }: HashCall): Promise<undefined> {
  return show(out, await (await client()).setUserPermissions(args.need('username'), args.list('PERMISSION')));
}

export async function deleteUser({ args, out, client }: HashCall): Promise<undefined> {
  return show(out, await (await client()).deleteUser(args.text('username')));
}

export async function refreshToken({ args, out, client }: HashCall): Promise<undefined> {
  return show(out, await (await client()).refreshToken(args.text('username')));
}

export async function getAllUsers({ out, client }: HashCall): Promise<undefined> {
  const users = await (await client()).allUsers();
  await out.result({ users } as unknown as Json, () => [
    out.bold(`${'Username'.padEnd(20)} | Permissions`),
    ...users.map(({ username, permissions = [] }) => `${username.padEnd(20)} | ${permissions.join(' ')}`),
  ]);
}
