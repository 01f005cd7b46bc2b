/**
 * Which route a request belongs to: paths with `{variables}`, the most literal one wins. A last
 * `{variable+}` takes all that is left of the path.
 */

export type PathParameters = Readonly<Record<string, string>>;

export type RouteMatch<Route> =
  | Readonly<{ type: 'found'; route: Route; parameters: PathParameters }>
  /** The path is known, but not with this method. */
  | Readonly<{ type: 'other-methods'; allowed: readonly string[] }>
  | Readonly<{ type: 'none' }>;

type RouteKey = Readonly<{ method: string; path: string }>;
type Candidate<Route> = Readonly<{ route: Route; parts: readonly string[] }>;

export class RouteTable<Route extends RouteKey> {
  readonly #candidates: readonly Candidate<Route>[];

  constructor(routes: readonly Route[]) {
    this.#candidates = routes
      .map((route) => ({ route, parts: route.path.split('/') }))
      .sort((a, b) => comparePrecedence(a.parts, b.parts));
  }

  /** `path` still percent-encoded. Throws a URIError if a variable's value cannot be decoded. */
  match(method: string, path: string): RouteMatch<Route> {
    const given = path.split('/');
    const matching = this.#candidates.filter(({ parts }) => matches(parts, given));
    const serving = (wanted: string) => matching.find(({ route }) => route.method === wanted);
    const found = serving(method) ?? (method === 'HEAD' ? serving('GET') : undefined);
    if (found) {
      return { type: 'found', route: found.route, parameters: parametersOf(found.parts, given) };
    }
    if (matching.length === 0) return { type: 'none' };
    return { type: 'other-methods', allowed: withHead(matching.map(({ route }) => route.method)) };
  }
}

export const withHead = (methods: readonly string[]): string[] => [
  ...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))),
];

const variableName = (part: string): string | undefined => part.match(/^\{(.+)\}$/)?.[1];

const isGreedy = (part: string | undefined): boolean => part?.endsWith('+}') ?? false;

function matches(parts: readonly string[], given: readonly string[]): boolean {
  const isLength = isGreedy(parts.at(-1))
    ? given.length >= parts.length
    : given.length === parts.length;
  if (!isLength) return false;
  return parts.every((part, index) => {
    if (isGreedy(part)) return given.slice(index).some((one) => one !== '');
    return variableName(part) ? given[index] !== '' : part === given[index];
  });
}

const parametersOf = (parts: readonly string[], given: readonly string[]): PathParameters =>
  Object.fromEntries(
    parts.flatMap((part, index) => {
      const name = variableName(part);
      if (!name) return [];
      if (!isGreedy(part)) return [[name, decodeURIComponent(given[index] ?? '')]];
      return [[name.slice(0, -1), decodeURIComponent(given.slice(index).join('/'))]];
    }),
  );

function comparePrecedence(a: readonly string[], b: readonly string[]): number {
  const first = a.findIndex((part, index) => !variableName(part) !== !variableName(b[index] ?? ''));
  return first === -1 ? 0 : variableName(a[first] ?? '') ? 1 : -1;
}
