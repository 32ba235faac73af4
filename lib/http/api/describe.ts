import { PROBLEM_CONTENT } from '../problem.ts';
import type { ApiRoute } from './route.ts';
import { PROBLEM } from './schemas.ts';

/** What the OpenAPI document says of a route. */
export function describe(
  route: Pick<ApiRoute, 'summary' | 'id' | 'answer' | 'query' | 'body' | 'status'> & { tag: string; names?: string[] },
) {
  const { summary, id, tag, answer, query, body, status = 200, names = [] } = route;
  const params = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  return {
    operationId: id,
    summary,
    tags: [tag],
    ...(names.length > 0 && { params: { type: 'object', properties: params, required: names } }),
    ...(query && { querystring: { type: 'object', properties: query } }),
    ...(body && { body }),
    response: {
      [status]: { description: 'Done, or found', content: { 'application/json': { schema: answer } } },
      default: { description: 'A problem: docs/http.md', content: { [PROBLEM_CONTENT]: { schema: PROBLEM } } },
    },
  };
}
