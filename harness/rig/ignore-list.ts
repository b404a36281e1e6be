import type { Resource, Snapshot } from '../snapshot/snapshot.ts'

/**
 * Resources that may be there or be gone: a fault of the rig's own took them away, or nothing shows whose they are.
 * Each has a reason, and the report prints it for whatever is there at the end.
 */
export class IgnoreList {
  readonly #reasons = new Map<string, string>()

  add(why: string, ignored: Resource[]): void {
    for (const { id } of ignored) this.#reasons.set(id, why)
  }

  /** A descriptor is ignored with the process that holds it. */
  covers(one: Resource): boolean {
    if (one.kind !== 'descriptor') return this.#reasons.has(one.id)
    const [holder] = one.id.slice('descriptor '.length).split('/', 1)
    return this.#reasons.has(`process ${holder}`)
  }

  without(baseline: Snapshot): Snapshot {
    return { ...baseline, resources: baseline.resources.filter(one => !this.#reasons.has(one.id)) }
  }

  /** A sentence for each reason that one of these resources has. */
  notes(there: Resource[]): string[] {
    return [...new Set(this.#reasons.values())].flatMap(why => {
      const [first, ...others] = there.filter(({ id }) => this.#reasons.get(id) === why)
      if (!first) return []
      const more = others.length > 0 ? ` and ${others.length} more` : ''
      return `${first.id}${more}: ${why}`
    })
  }
}
