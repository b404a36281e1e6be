import type { ComponentChildren } from 'preact'

/** Something wide that is scrolled by itself, so that the page is not: by keyboard too, for which it must take the focus. */
export function ScrollArea({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it no key can scroll it
    <section class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  )
}
