import type http from 'node:http';
import { sendProblem } from '../problem.ts';
import { type Body, type PageFile, type PageFiles, readPage } from './files.ts';

/** The page that people look at. */
export interface Page {
  /** Answers a request for it. False, or resolves to that: there is nothing of it at that path. */
  answer(path: string, request: http.IncomingMessage, response: http.ServerResponse): false | Promise<boolean>;
}

/**
 * What a browser may do with the page: take scripts, styles and data from this server and nowhere else, none of them from
 * within a document, and show it in no frame of another.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
} as const;

const INDEX = 'index.html';
const FILE = /^(assets\/)?[\w.-]+\.\w+$/;

const FOR_GOOD = 'public, max-age=31536000, immutable';
/** Kept, and asked for each time whether it still is that. */
const ASK_AGAIN = 'no-cache';

/** @param read reads the files; asked again for each request as long as there are none */
export function createPage(read: () => Promise<PageFiles | null> = () => readPage()): Page {
  let files: Promise<PageFiles | null> | null = null;

  async function load(): Promise<PageFiles | null> {
    files ??= read();
    const loaded = await files.catch((error) => {
      files = null;
      throw error;
    });
    if (!loaded) files = null;
    return loaded;
  }

  async function answer(name: string, request: http.IncomingMessage, response: http.ServerResponse): Promise<boolean> {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (name === INDEX && !isRead) return refuseMethod(response);
    const loaded = await load();
    if (!loaded && name === INDEX) {
      sendProblem(response, 'not-found', 'The page was not built: run `npm run build` where this server runs from.');
      return true;
    }
    const file = loaded?.get(name);
    if (!file) return false;
    if (!isRead) return refuseMethod(response);
    send(file, request, response);
    return true;
  }

  return {
    answer(path, request, response) {
      const name = path === '/' ? INDEX : path.slice(1);
      // Whoever asks for anything else makes nobody read files, and is answered at once.
      return FILE.test(name) && answer(name, request, response);
    },
  };
}

function refuseMethod(response: http.ServerResponse): true {
  sendProblem(response, 'method-not-allowed', 'The page is read with GET or HEAD.', { allow: 'GET, HEAD' });
  return true;
}

function send(file: PageFile, { method, headers }: http.IncomingMessage, response: http.ServerResponse): void {
  const compressed = file.gzip && takesGzip(headers['accept-encoding']) ? file.gzip : null;
  const body = compressed ?? file.plain;
  response.setHeaders(
    new Map(
      Object.entries({
        ...HEADERS,
        etag: body.tag,
        'cache-control': file.isHashed ? FOR_GOOD : ASK_AGAIN,
        vary: 'accept-encoding',
      }),
    ),
  );
  if (isKnown(body, headers['if-none-match'])) return void response.writeHead(304).end();
  response.writeHead(200, {
    'content-type': file.type,
    'content-length': body.bytes.length,
    ...(compressed && { 'content-encoding': 'gzip' }),
  });
  response.end(method === 'HEAD' ? undefined : body.bytes);
}

/** Whether a client has said that it takes gzip (RFC 9110, 12.5.3). */
export function takesGzip(accepted: string | string[] | undefined): boolean {
  const weights = new Map<string, number>();
  for (const each of String(accepted ?? '').split(',')) {
    const [coding, ...parameters] = each.split(';').map((part) => part.trim().toLowerCase());
    const weight = parameters.find((part) => part.startsWith('q='))?.slice('q='.length);
    weights.set(coding!, weight === undefined ? 1 : Number(weight));
  }
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}

/** Whether a client has it already (RFC 9110, 13.1.2). */
function isKnown({ tag }: Body, noneMatch: string | undefined): boolean {
  if (noneMatch === undefined) return false;
  return noneMatch.split(',').some((each) => /^\*$/.test(each.trim()) || each.trim().replace(/^W\//, '') === tag);
}
