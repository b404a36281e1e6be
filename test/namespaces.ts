import { spawnSync } from 'node:child_process'
import { needs } from './needs.ts'

const own = ['--mount', '--pid', '--net', '--fork', '--kill-child', 'true']
const asUser = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']

/** Whether the kernel's settings allow a namespace sandbox here. */
export const mayMakeNamespaces = spawnSync('unshare', [...asUser, ...own]).status === 0

export const needsNamespaces = (): void => needs('right to make namespaces', mayMakeNamespaces)
