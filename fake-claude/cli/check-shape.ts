import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Behaviour, Program, Shape } from '../shapes/shape.ts'
import type { Settings } from './settings.ts'

const resisting: (Behaviour | Program)[] = ['hup-ignored', 'term-ignored', 'respawn', 'mcp-launcher']

/** Why the settings do not fit each other, as a part of a sentence; undefined where they do. */
export function shapeObjection(settings: Settings): string | undefined {
  const { shape, persona, children, afterMs, resistMs } = settings
  if (!shape) {
    const given = { children, after_ms: afterMs, resist_ms: resistMs }
    const unused = Object.entries(given).find(([, value]) => value !== undefined)
    return unused && `${unused[0]} is given without a shape, add shape=<name>`
  }
  if (persona === 'plain') return 'a shape is given for the persona plain, which starts nothing'
  const names = [...shape.behaviours, ...shape.programs]
  if (resistMs !== undefined && !names.some(name => resisting.includes(name)))
    return `resist_ms is given, but nothing of the shape resists: add one of ${resisting.join(', ')}`
  const onServer = shape.programs.find(name => name === 'tmux-job' || name === 'tmux-guest')
  if (onServer && !process.env.TMUX)
    return `the shape ${onServer} needs the tmux server that claude runs in, and TMUX is not set`
  const missing = toolsFor(shape).find(tool => findTool(tool) === undefined)
  return missing && `the shape needs ${missing}, and there is none on the PATH`
}

/** The path of an executable on the PATH. */
export function findTool(name: string): string | undefined {
  const paths = (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, name))
  return paths.find(path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function toolsFor(shape: Shape): string[] {
  const tools = ['sh', 'sleep', 'perl']
  const setsid = shape.placement !== undefined || shape.programs.length > 0
  const tmux = shape.programs.some(name => ['nested-server', 'tmux-job', 'tmux-guest'].includes(name))
  return [...tools, ...(setsid ? ['setsid'] : []), ...(tmux ? ['tmux'] : [])]
}
