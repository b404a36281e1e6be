import path from 'node:path'
import { SMALL_BYTES } from '../../platform/files/json.ts'
import { ownUid } from '../../platform/files/trust.ts'
import { descriptorTarget } from '../../platform/processes/open-files.ts'
import { asTaskId } from '../../registry/stream-log.ts'
import { type Entry, entryIn, namesIn, openOwn, openOwnIn, textIn } from './own-folder.ts'
import { parse } from './records.ts'
import type { Search } from './search.ts'
import { isOlder, slugOf } from './session.ts'
import { listTree } from './tree.ts'

/** What carries a session: to be taken only once the session is proven to be the agent's. */
interface OfSession {
  root: string
  entry: Entry
  why: string
}

/** What carries the agent's session; and why the session is not the agent's, if something of it is older. */
export interface FoundOfSession {
  entries: OfSession[]
  older?: string
}

/**
 * Finds, in claude's folder for temporary files, the loose files of a session and the output of commands that claude waits for.
 * What claude itself leaves on a clean exit stays: `started`, and the output of background tasks.
 */
export function temporaryOf(search: Search, session: string): FoundOfSession {
  const found: FoundOfSession = { entries: [] }
  const slugs = new Set([...search.workFolders].map(slugOf))
  for (const root of search.places.bases) {
    using own = openOwn(root, [`claude-${ownUid()}`], search.leave)
    for (const slug of namesIn(own)) {
      using project = own && openOwnIn(own, slug, slugs.has(slugOf(slug)) ? search.leave : undefined)
      using folder = project && openOwnIn(project, session, search.leave)
      const made = project && folder && entryIn(project, session)
      if (!folder || !made) continue
      if (isOlder(search, made)) found.older = `its folder ${folder.path} is older than the agent`
      const why = 'it lies in the folder of its session'
      for (const name of namesIn(folder).filter(one => one !== 'started'))
        add(entryIn(folder, name), root, why)
      using tasks = openOwnIn(folder, 'tasks', search.leave)
      for (const name of namesIn(tasks))
        if (tasks && isForeground(path.join(tasks.path, name)))
          add(entryIn(tasks, name), root, 'it is the output of a command that its claude waited for')
    }
  }
  return found

  function add(entry: Entry | undefined, root: string, why: string): void {
    if (entry?.kind === 'a file') found.entries.push({ root, entry, why })
  }

  function isForeground(file: string): boolean {
    const task = asTaskId(/^(.*)\.output$/.exec(path.basename(file))?.[1])
    if (task === undefined || search.log.background.has(task)) return false
    return search.log.foreground.has(task) || isOutput(search, file)
  }
}

const isOutput = ({ claims }: Search, file: string): boolean =>
  [...claims.claimed.keys()].some(pid => descriptorTarget({ pid, fd: 1 }) === file)

/** Finds the folders of the teams that a session leads: they block the team's name for whoever comes next. */
export function teamsOf(search: Search, session: string): FoundOfSession {
  const found: FoundOfSession = { entries: [] }
  for (const { root, name: claude } of search.places.folders) {
    using teams = openOwn(root, [claude, 'teams'], search.leave)
    for (const name of namesIn(teams)) {
      if (!teams || asTaskId(name) === undefined) continue
      using team = openOwnIn(teams, name)
      if (!team || parse(textIn(team, 'config.json', SMALL_BYTES))?.leadSessionId !== session) continue
      const made = entryIn(teams, name)
      if (made && isOlder(search, made)) found.older = `its team ${team.path} is older than the agent`
      using tasks = openOwn(root, [claude, 'tasks'], search.leave)
      // The configuration says whose the tasks are, so it goes last, and stays when they do.
      const trees = [tasks, teams].map(above => (above ? listTree(search, above, name, 'config.json') : []))
      if (trees.includes(undefined)) continue
      const why = `its session leads the team ${name}`
      found.entries.push(...trees.flatMap(tree => tree ?? []).map(entry => ({ root, entry, why })))
    }
  }
  return found
}
