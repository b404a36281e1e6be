import fs from 'node:fs'
import path from 'node:path'
import { foregroundTasks } from '../../workspace/stream-log.ts'
import { list, readObject } from './files.ts'
import type { Residue } from './note.ts'

/**
 * What carries the agent's session, in claude's folder for temporary files: loose files, and the output of foreground
 * commands. What claude itself leaves on a clean exit stays: `started`, and the output of background tasks.
 */
export function temporaryOfSession({ bases, sessionId }: Residue, log: string): string[] {
  if (sessionId === undefined) return []
  const tasks = foregroundTasks(log)
  const users = [...bases].flatMap(base =>
    list(base)
      .filter(name => /^claude-\d+$/.test(name))
      .map(name => path.join(base, name)),
  )
  const folders = users.flatMap(user => list(user).map(slug => path.join(user, slug, sessionId)))
  return folders.flatMap(folder => [
    ...list(folder)
      .filter(name => name !== 'started')
      .map(name => path.join(folder, name))
      .filter(file => fs.lstatSync(file, { throwIfNoEntry: false })?.isFile()),
    ...[...tasks].map(task => path.join(folder, 'tasks', `${task}.output`)),
  ])
}

/** The folders of the teams that the agent's session leads: they block the team's name for whoever comes next. */
export function teamsOfSession({ homes, sessionId }: Residue): string[] {
  if (sessionId === undefined) return []
  return [...homes].flatMap(home => {
    const [teams, tasks] = ['teams', 'tasks'].map(name => path.join(home, '.claude', name)) as [
      string,
      string,
    ]
    const isLed = (name: string) =>
      readObject(path.join(teams, name, 'config.json')).leadSessionId === sessionId
    // The configuration says whose the tasks are, so it goes last.
    return list(teams)
      .filter(isLed)
      .flatMap(name => [path.join(tasks, name), path.join(teams, name)])
  })
}
