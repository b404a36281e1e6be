import { needsNamespaces } from '../../../test/namespaces.ts'
import { type Expected, expectRed } from './expect-red.ts'

needsNamespaces()

const chosen = ['leaves the prompt', 'ends nothing', 'counts by hand', 'holds a deleted log open']

const seeded: Record<string, Expected> = {
  'leaves the prompt': { result: 'leak', findings: [['file', /^prompt /]] },
  'leaves the logs where they are': { result: 'leak', findings: [['file', /^progress /]] },
  'ends nothing': {
    result: 'leak',
    findings: [
      ['session', /^tmux session agent_/],
      ['process', /^claude /],
      ['process', /^tee /],
      ['process', /^bash .*shell-snapshots/],
      ['descriptor', /_stream\.jsonl, open for writing in tee/],
      ['registry', /is terminated, but it lives/],
    ],
  },
  'kills at once and does not look again': {
    result: 'leak',
    findings: [
      ['process', /^bash .*shell-snapshots/],
      ['file', /^claude state /],
    ],
  },
  'counts by hand': { result: 'leak', findings: [['registry', /has active_count 7/]] },
  'loses an update': {
    result: 'leak',
    findings: [['registry', /says .* is working, but no process or session of it is left/]],
  },
  'forgets the global registry': { result: 'leak', findings: [['registry', /the global registry says/]] },
  'opens a file for each call': {
    result: 'leak',
    findings: [['descriptor', /of the system holds \d+ descriptors/]],
  },
  'holds a deleted log open': {
    result: 'leak',
    findings: [['descriptor', /copy\.jsonl \(deleted\), open for reading/]],
  },
  'leaves a temporary file': { result: 'leak', findings: [['file', /^temp .*\.tmp/]] },
  'leaves a child behind': { result: 'leak', findings: [['process', /sleep 98766/]] },
}

expectRed(seeded, chosen)
