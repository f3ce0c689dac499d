// Joint ends by what decides about them as sources, or as targets: ends with the same place and numbers on both sides are one kind.
import { familyBits, type Quad } from '../analyze/endpoint.ts';
import { ListInterner } from '../compile/list-interner.ts';
import type { EndPlace, JointEndpoint, JointQuad } from './joint-endpoint.ts';

export class KindTable {
  /** By kind, what stands for it: of the rest of the quad only the families are like its members'. */
  readonly quads: JointQuad[] = [];
  readonly places: EndPlace[] = [];
  /** By kind, indices of endpoints, ascending. */
  readonly members: number[][] = [];
  readonly kindOf: readonly number[];

  constructor(placed: readonly JointEndpoint[], keyOf: (quad: Quad) => readonly number[]) {
    // Thousands of endpoints share one object.
    const byQuads = new Map<JointQuad, number>();
    const kinds = new ListInterner();
    const sideKey = (quad: Quad | undefined): readonly number[] => (quad === undefined ? [MISSING] : [...keyOf(quad), familyBits(quad.families)]);
    this.kindOf = placed.map(({ quads, place }, endpoint) => {
      let id = byQuads.get(quads);
      if (id === undefined) {
        // The empty list has the first number.
        id = kinds.intern([PLACES.indexOf(place), ...sideKey(quads.before), ...sideKey(quads.after)]) - 1;
        if (id === this.quads.length) this.add(quads, place);
        byQuads.set(quads, id);
      }
      this.members[id]!.push(endpoint);
      return id;
    });
  }

  private add(quads: JointQuad, place: EndPlace): void {
    this.places.push(place);
    this.members.push([]);
    this.quads.push(quads);
  }
}

const MISSING = -1;

const PLACES: readonly EndPlace[] = ['pods', 'Range', 'DomainName'];
