import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { poll } from '../../poll.ts'
import { Workspace } from '../support/workspace.ts'

const tasks = { T1: { worker: 'orchestrator', sibling: 'orchestrator' } }

/** A claude that writes its arguments to a file, one per line, and stays. */
const claude = `#!/bin/sh
printf '%s\\n' "$@" > "$CLAUDE_ORCHESTRATOR_WORKSPACE/../arguments.next"
mv "$CLAUDE_ORCHESTRATOR_WORKSPACE/../arguments.next" "$CLAUDE_ORCHESTRATOR_WORKSPACE/../arguments"
exec sleep 1000
`

function withClaude(workspace: Workspace): Record<string, string> {
  workspace.writeText('../claude', claude)
  chmodSync(join(workspace.folder, 'claude'), 0o755)
  return { CLAUDE_EXECUTABLE: join(workspace.folder, 'claude') }
}

describe.for(['none', 'immediate'])('with the strategy %s', strategy => {
  test('an agent that deploys is the parent, whatever it passes, and the child’s instance acts for the child', async () => {
    await using workspace = new Workspace(tasks)
    const env = withClaude(workspace)
    const worker = await workspace.inside(strategy, 'T1/worker', env)
    const written = join(workspace.folder, 'arguments')
    for (const parent of ['orchestrator', 'sibling', 'T1/sibling']) {
      rmSync(written, { force: true })
      const deploy = { task_id: 'T1', agent_type: 'helper', prompt: 'help', parent }
      const { said, error } = await worker.call('deploy_headless_agent', deploy)
      expect(error).toBe('')
      const child = { task_id: 'T1', agent_id: String(said.agent_id) }
      expect(workspace.entry(`T1/${child.agent_id}`)).toMatchObject({ parent: 'T1/worker' })

      const lines = await poll(20_000, async () =>
        existsSync(written) ? readFileSync(written, 'utf8').split('\n') : undefined,
      )
      const config = JSON.parse((lines || []).find(line => line.startsWith('{"mcpServers"')) ?? '')
      const server = config.mcpServers['claude-orchestrator']
      expect(server.env).toEqual({
        CLAUDE_ORCHESTRATOR_WORKSPACE: workspace.path,
        LEAKRIG_AGENT: `${workspace.path}/T1/${child.agent_id}`,
      })
      // Its claude starts it in an environment without the agent's variables.
      const inside = await workspace.start(server.args, server.env)
      expect((await inside.call('get_agent_output', child)).error).toBe('')
      const { error: refused } = await inside.call('kill_real_agent', { task_id: 'T1', agent_id: 'worker' })
      expect(refused).toMatch(/^This orchestrator runs inside agent T1\/helper-\S+ and acts for it /)
      await inside[Symbol.asyncDispose]()

      const { error: siblings } = await (await workspace.inside(strategy, 'T1/sibling')).call(
        'kill_real_agent',
        child,
      )
      expect(siblings).toMatch(/^This orchestrator runs inside agent T1\/sibling and acts for it /)
      expect((await worker.call('kill_real_agent', child)).error).toBe('')
      expect(workspace.entry(`T1/${child.agent_id}`).status).toBe('terminated')
    }
  })

  test('nothing is made for a task that does not exist', async () => {
    await using workspace = new Workspace(tasks)
    const instance = await workspace.instance(strategy, undefined, withClaude(workspace))
    const deploy = { task_id: 'T9', agent_type: 'helper', prompt: 'x' }
    expect((await instance.call('deploy_headless_agent', deploy)).isError).toBe(true)
    expect(existsSync(join(workspace.path, 'T9'))).toBe(false)
  })

  test('nothing is deployed through a link, and no trace of the attempt stays', async () => {
    await using workspace = new Workspace({ T1: {} })
    const outside = join(workspace.folder, 'outside')
    mkdirSync(outside)
    rmSync(join(workspace.path, 'T1/logs'), { recursive: true })
    symlinkSync(outside, join(workspace.path, 'T1/logs'))
    const instance = await workspace.instance(strategy, undefined, withClaude(workspace))
    const { error } = await instance.call('deploy_headless_agent', {
      task_id: 'T1',
      agent_type: 'helper',
      prompt: 'x',
    })
    expect(error).toMatch(/T1\/logs is refused: expected a folder, found a symbolic link\. [^\n]+\.$/)
    expect(readdirSync(outside)).toEqual([])
    const { exitCode } = await execa('tmux', ['list-sessions'], { env: workspace.env, reject: false })
    expect(exitCode).toBe(1)
    expect(workspace.agents('T1')).toEqual([])
  })
})
