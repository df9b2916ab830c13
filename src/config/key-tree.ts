/** Which keys there are, and where, for the advice about unknown ones. */
import type { KeyPath } from './fault.ts';
import type { JsonSchema } from './json-schema.ts';
import { nearest } from './nearest-key.ts';

const MAX_LISTED = 12;

/** What to do about the unknown key `name` in the mapping at `parent`. */
export class KeyTree {
  readonly #root: JsonSchema;

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  /** The known key that was probably meant at this place. */
  meant(parent: KeyPath, name: string): string | undefined {
    return nearest(name, this.#known(parent));
  }

  advice(parent: KeyPath, name: string): string {
    const near = this.meant(parent, name);
    if (near !== undefined) return `unknown key; did you mean "${near}"?`;
    const elsewhere = this.#homes(this.#root, '').filter(({ key }) => key.toLowerCase() === name.toLowerCase());
    const nearby = elsewhere.filter(({ home }) => home.startsWith('routes') === (parent[0] === 'routes'));
    const [best] = nearby.length > 0 ? nearby : elsewhere;
    if (best !== undefined) return `unknown key here; ${placeOf(best)}`;
    const known = this.#known(parent);
    return known.length > MAX_LISTED ? 'unknown key: remove it' : `unknown key; known here: ${known.join(', ')}`;
  }

  #known(path: KeyPath): string[] {
    let schema: JsonSchema | undefined = this.#root;
    for (const part of path) schema = typeof part === 'number' ? schema?.items : memberOf(schema, part);
    return Object.keys(schema?.properties ?? {});
  }

  #homes(schema: JsonSchema, home: string): Home[] {
    return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
      const path = home === '' ? key : `${home}.${key}`;
      const within = inner.items === undefined ? this.#homes(inner, path) : this.#homes(inner.items, `${path}[]`);
      return [{ key, home }, ...within];
    });
  }
}

/** In a mapping whose keys people choose, all values are alike. */
function memberOf(schema: JsonSchema | undefined, key: string): JsonSchema | undefined {
  const { properties, additionalProperties: others } = schema ?? {};
  return properties?.[key] ?? (typeof others === 'object' ? others : undefined);
}

/** A key and the mapping that it stands in. */
interface Home {
  readonly key: string;
  readonly home: string;
}

function placeOf({ key, home }: Home): string {
  if (home === '') return `"${key}" stands at the top level`;
  if (home === 'routes[]') return `"${key}" stands in a route`;
  return `"${key}" stands in ${home.replace('routes[].', "a route's ")}`;
}
