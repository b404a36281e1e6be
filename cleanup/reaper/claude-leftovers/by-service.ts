import path from 'node:path'
import { placeInService } from '../../claims/background/service.ts'
import { BackgroundServices } from '../../claims/background/whose.ts'
import { SMALL_BYTES } from '../../platform/files/json.ts'
import { ownUid } from '../../platform/files/trust.ts'
import { readProcText } from '../../platform/processes/proc-file.ts'
import type { SeenProcess } from '../../platform/processes/table.ts'
import { entryIn, openOwn, textIn } from './own-folder.ts'
import { parse } from './records.ts'
import type { Search } from './search.ts'

/**
 * Finds what a killed background service leaves (`claude --bg`), if all of it is the agent's: the lock and the state of its
 * supervisor, which name its pid and start time, and the sockets that its hosts name in their command lines. Its log, its
 * roster and its jobs stay, as after a clean exit.
 */
export function findOfService(search: Search): void {
  const { claims, observation } = search
  const roots = new Set<SeenProcess>()
  for (const { process } of claims.claimed.values()) {
    const place = process.comm.startsWith('claude') ? placeInService(process, observation.table) : undefined
    if (place) roots.add(place.root)
  }
  if (roots.size === 0) return
  const background = new BackgroundServices(observation)
  for (const root of roots) {
    findState(search, root)
    const folders = new Set<string>()
    for (const { process } of claims.claimed.values()) {
      if (process.ppid !== root.pid && process !== root) continue
      for (const socket of socketsOf(process)) {
        folders.add(path.dirname(path.dirname(socket)))
        for (const file of [socket, `${socket}.err`]) take(search, file, process)
      }
    }
    for (const folder of folders) {
      take(search, path.join(folder, 'control.sock'), root)
      for (const { id, worker } of background.sessionsOf(root))
        if (id !== undefined) take(search, path.join(folder, 'rv', `${id}.sock`), worker)
    }
  }
}

/** `daemon.lock` and `daemon.status.json`. */
function findState(search: Search, { pid, start }: SeenProcess): void {
  for (const { root, name } of search.places.folders) {
    using folder = openOwn(root, [name])
    for (const file of ['daemon.lock', 'daemon.status.json']) {
      const entry = folder && entryIn(folder, file)
      const content = (folder && entry && parse(textIn(folder, file, SMALL_BYTES))) ?? {}
      const isOwn =
        (content.pid ?? content.supervisorPid) === pid &&
        (content.procStart ?? content.supervisorProcStart) === String(start)
      if (entry && isOwn) search.take(root, entry, `it names the agent’s background service ${pid}`, pid)
    }
  }
}

/** The sockets in a host's command line: `--bg-pty-host <socket> ... --bg-spare <socket>`. */
function socketsOf({ pid }: SeenProcess): string[] {
  const words = (readProcText(`/proc/${pid}/cmdline`) ?? '').split('\0')
  return words.filter(
    (word, at) => ['--bg-pty-host', '--bg-spare'].includes(words[at - 1] ?? '') && path.isAbsolute(word),
  )
}

/** Takes a file of a service, if it lies where services keep theirs: `<base>/cc-daemon-<uid>/<hash>/`. */
function take(search: Search, file: string, { pid }: SeenProcess): void {
  for (const base of search.places.bases) {
    const [own, hash, kind, ...rest] = path.relative(base, file).split(path.sep)
    if (own !== `cc-daemon-${ownUid()}` || hash === undefined || rest.length > 1) continue
    const above = [own, hash, ...(rest.length > 0 && kind !== undefined ? [kind] : [])]
    using folder = openOwn(base, above)
    const entry = folder && entryIn(folder, path.basename(file))
    if (entry?.kind === 'a socket' || entry?.kind === 'a file')
      search.take(base, entry, `it is of the agent’s background service`, pid)
  }
}
