import { useEffect, useState } from 'preact/hooks'

/** What is shown: the overview, or the scenario with this index. It is in the address, so that a browser's "back" works. */
export type View = 'overview' | number

export const addressOf = (view: View): string => (view === 'overview' ? '#overview' : `#scenario-${view}`)

/** The view that the address names, or `first` where it names none of this run. */
export function useView(first: View, count: number): View {
  const read = () => viewOf(location.hash, first, count)
  const [view, setView] = useState(read)
  useEffect(() => {
    const follow = () => setView(read())
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  })
  return view
}

function viewOf(hash: string, first: View, count: number): View {
  if (hash === addressOf('overview')) return 'overview'
  const index = /^#scenario-(\d{1,6})$/.exec(hash)?.[1]
  return index !== undefined && Number(index) < count ? Number(index) : first
}
