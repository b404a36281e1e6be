import fc from 'fast-check'

/**
 * One step of a sequence, as plain data, so that a sequence can be shrunk and printed. `whom` is an index into those who
 * are there at that moment, modulo their number. A step for which nobody is there, or nothing is to do, is left out.
 */
export type Command =
  | { do: 'deploy'; persona: 'exits' | 'completes'; namesake: boolean }
  | { do: 'complete'; from: 'inside' | 'outside'; whom: number }
  | { do: 'kill'; whom: number }
  | { do: 'crash'; what: 'claude' | 'pane' | 'session'; whom: number }
  | { do: 'crash-server' }
  | { do: 'kill-cleaner'; which: Cleaner; afterMs: number }
  | { do: 'restart-daemon' }
  | { do: 'bystander-comes'; kind: 'session' | 'claude' | 'lookalike' }
  | { do: 'bystander-leaves'; whom: number }
  | { do: 'settle' }

const cleaners = ['inside', 'hand-over', 'daemon', 'orchestrator'] as const
type Cleaner = (typeof cleaners)[number]

const whom = fc.nat(5)

const deploy = fc.record({
  do: fc.constant('deploy' as const),
  // `completes` has a Bash tool in a session of its own and takes 1.5 s to end, so it is rarer.
  persona: fc.constantFrom('exits' as const, 'exits' as const, 'completes' as const),
  namesake: fc.boolean(),
})

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: deploy },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('complete' as const),
      from: fc.constantFrom('inside' as const, 'outside' as const),
      whom,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('kill' as const), whom }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      what: fc.constantFrom('claude' as const, 'pane' as const, 'session' as const),
      whom,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash-server' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('kill-cleaner' as const),
      which: fc.constantFrom(...cleaners),
      afterMs: fc.nat(500),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart-daemon' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('bystander-comes' as const),
      kind: fc.constantFrom('session' as const, 'session' as const, 'lookalike' as const, 'claude' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('bystander-leaves' as const), whom }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
)

/** A deploy, and one to seven other commands, most of which need an agent. */
export const sequences: fc.Arbitrary<Command[]> = fc
  .tuple(deploy, fc.array(command, { minLength: 1, maxLength: 7, size: 'max' }))
  .map(([first, others]) => [first, ...others])
