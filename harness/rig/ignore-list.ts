import type { Resource, Snapshot } from '../snapshot/snapshot.ts'

/**
 * What need not be there any more, and may be: it was taken away by a fault of the rig's own, or nothing can tell
 * whose it is. Each with its reason, because the report says so of whatever is there at the end.
 */
export class Excuses {
  readonly #reasons = new Map<string, string>()

  add(why: string, excused: Resource[]): void {
    for (const { id } of excused) this.#reasons.set(id, why)
  }

  /** A descriptor is excused with the process that holds it. */
  covers(one: Resource): boolean {
    if (one.kind !== 'descriptor') return this.#reasons.has(one.id)
    const [holder] = one.id.slice('descriptor '.length).split('/', 1)
    return this.#reasons.has(`process ${holder}`)
  }

  without(baseline: Snapshot): Snapshot {
    return { ...baseline, resources: baseline.resources.filter(one => !this.#reasons.has(one.id)) }
  }

  /** A sentence for each reason of which something is among these. */
  notes(there: Resource[]): string[] {
    return [...new Set(this.#reasons.values())].flatMap(why => {
      const [first, ...others] = there.filter(({ id }) => this.#reasons.get(id) === why)
      if (!first) return []
      const more = others.length > 0 ? ` and ${others.length} more` : ''
      return `${first.id}${more}: ${why}`
    })
  }
}
