import { expect, test } from 'vitest'
import { AsyncHeld, Held } from '../../platform/held.ts'

const sync = (name: string, ended: string[], error?: Error): Disposable => ({
  [Symbol.dispose]() {
    ended.push(name)
    if (error) throw error
  },
})

test('disposes of the last one first, and of the others when one fails', () => {
  const ended: string[] = []
  const held = new Held()
  held.use(sync('first', ended))
  held.use(sync('second', ended, new Error('cannot end')))
  held.use(sync('third', ended))
  expect(() => held[Symbol.dispose]()).toThrow('cannot end')
  expect(ended).toEqual(['third', 'second', 'first'])
  held[Symbol.dispose]()
  expect(ended).toHaveLength(3)
})

test('waits for each one that takes time, and gives everything away when moved', async () => {
  const ended: string[] = []
  const held = new AsyncHeld()
  held.defer(() => void ended.push('first'))
  held.use({
    async [Symbol.asyncDispose]() {
      await Promise.resolve()
      ended.push('second')
      throw new Error('cannot end')
    },
  })
  held.use(sync('third', ended))
  const moved = held.move()
  await held[Symbol.asyncDispose]()
  expect(ended).toEqual([])
  await expect(moved[Symbol.asyncDispose]()).rejects.toThrow('cannot end')
  expect(ended).toEqual(['third', 'second', 'first'])
})
