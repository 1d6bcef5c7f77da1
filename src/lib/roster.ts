/** What a roster holds knows its place there. */
export interface Seated {
  /** Written by the roster; -1 in none. */
  seat: number;
}

/**
 * Objects that come and go with each request, in no order. Not a Set: one that is added to and deleted from all the time
 * is rebuilt all the time, and V8 keeps what was in its earlier forms until the next full collection.
 */
export class Roster<Member extends Seated> {
  readonly #members: Member[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** A copy: members may leave while it is walked through. */
  list(): Member[] {
    return [...this.#members];
  }

  count(which: (member: Member) => boolean): number {
    let found = 0;
    for (const member of this.#members) if (which(member)) found += 1;
    return found;
  }

  add(member: Member): void {
    if (member.seat !== -1) throw new RangeError('It is in a roster already.');
    member.seat = this.#members.length;
    this.#members.push(member);
  }

  /** False: it is not in this one. */
  delete(member: Member): boolean {
    const { seat } = member;
    if (this.#members[seat] !== member) return false;
    member.seat = -1;
    const last = this.#members.pop();
    // The last one takes the seat that is free now.
    if (last !== undefined && last !== member) {
      this.#members[seat] = last;
      last.seat = seat;
    }
    return true;
  }
}
