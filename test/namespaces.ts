import { spawnSync } from 'node:child_process'
import { needs } from './needs.ts'

const flags = ['--mount', '--pid', '--net', '--fork', '--kill-child', 'true']
const asUser = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']

/** True if the kernel lets this user create the namespaces of a namespace sandbox. */
export const canCreateNamespaces = spawnSync('unshare', [...asUser, ...flags]).status === 0

export const needsNamespaces = (): void => needs('permission to create namespaces', canCreateNamespaces)
