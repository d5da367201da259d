import type { Action } from './principal.ts';

/** For each action the first rule, by its position. */
type Firsts = Partial<Record<Action, number>>;

/** A place in the tree of all patterns; a step to another one takes a component of a name. */
interface Place {
  readonly literal: Map<string, Place>;
  /** Components with a `*`, by what stands before it. */
  readonly partial: Map<string, { readonly text: string; readonly expression: RegExp; readonly place: Place }[]>;
  any?: Place;
  /** Behind `**`/: reached without a step, and by any number of steps from itself. */
  deep?: Place;
  readonly isDeep: boolean;
  /** Of patterns that end here. */
  readonly ends: Firsts;
  /** Of patterns that go on with `**` only. */
  readonly below: Firsts;
}

/**
 * Rules by the patterns of repositories that they are about. Finding the first one that matches takes as many steps as a name
 * has components, however many patterns there are.
 */
export interface RuleIndex {
  /** Of rules for one action, those of lower positions have to come first. */
  add(pattern: string, action: Action, position: number): void;
  /** The first rule for a name; for a pattern, the first one that matches all that the pattern does. Infinity when there is none. */
  first(name: string, action: Action): number;
}

export function createRuleIndex(): RuleIndex {
  const root = createPlace(false);
  return {
    add(pattern, action, position) {
      const components = pattern.split('/');
      const ending = components.at(-1) === '**';
      let place = root;
      for (const component of ending ? components.slice(0, -1) : components) place = stepTo(place, component);
      const firsts = ending ? place.below : place.ends;
      firsts[action] ??= position;
    },
    first(name, action) {
      let first = Number.POSITIVE_INFINITY;
      let places = withDeep(root, []);
      for (const component of name.split('/')) {
        const next: Place[] = [];
        for (const place of places) {
          first = Math.min(first, place.below[action] ?? first);
          follow(place, component, next);
        }
        places = next;
      }
      for (const { ends } of places) first = Math.min(first, ends[action] ?? first);
      return first;
    },
  };
}

function createPlace(isDeep: boolean): Place {
  return { literal: new Map(), partial: new Map(), isDeep, ends: {}, below: {} };
}

/** The place behind a component of a pattern, made where there was none. */
function stepTo(place: Place, component: string): Place {
  if (component === '**') {
    place.deep ??= createPlace(true);
    return place.deep;
  }
  if (component === '*') {
    place.any ??= createPlace(false);
    return place.any;
  }
  const star = component.indexOf('*');
  if (star < 0) return madeIn(place.literal, component, () => createPlace(false));
  const alternatives = madeIn(place.partial, component.slice(0, star), () => []);
  const known = alternatives.find(({ text }) => text === component);
  if (known !== undefined) return known.place;
  const made = { text: component, expression: wildcardExpression(component, '[^/]*'), place: createPlace(false) };
  alternatives.push(made);
  return made.place;
}

/** What a text with `*` in it matches, as a whole. */
export function wildcardExpression(text: string, star: string): RegExp {
  const parts = text.split(/\*+/).map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join(star)}$`, 's');
}

/** All places that a component of a name leads to. That of a pattern is a `*` in it, or `**`, which only `**` matches. */
function follow(place: Place, component: string, found: Place[]): void {
  if (place.isDeep) found.push(place);
  if (component === '**') return;
  const literal = place.literal.get(component);
  if (literal !== undefined) withDeep(literal, found);
  if (place.any !== undefined) withDeep(place.any, found);
  if (place.partial.size === 0) return;
  for (let end = 0; end <= component.length; end += 1) {
    for (const { expression, place: next } of place.partial.get(component.slice(0, end)) ?? []) {
      if (expression.test(component)) withDeep(next, found);
    }
  }
}

function withDeep(place: Place, found: Place[]): Place[] {
  found.push(place);
  if (place.deep !== undefined) withDeep(place.deep, found);
  return found;
}

/** What a map has under a key, made where there was nothing. */
export function madeIn<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
