import fc from '../../../test/fast-check.ts'

/** A JSON value with one of its many spellings. */
export interface Spelled {
  value: unknown
  text: string
}

const space = fc.stringMatching(/^(?: |\t|\n|\r\n|\n {2}|\r\n\t\t){0,2}$/)

const between = fc.tuple(space, space)

const numbers = fc
  .oneof(
    fc.constantFrom(
      '0',
      '-0',
      '1.0',
      '1e400',
      '-1E+2',
      '1764398123456789123',
      '10000000000000000000000000',
      '0.10000000000000000000000001',
      '5e-324',
    ),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map(String)
      .filter(text => !Object.is(Number(text), -0)),
  )
  .map((text): Spelled => ({ text, value: Number(text) }))

const words = fc.constantFrom<Spelled>(
  ...[true, false, null].map(value => ({ text: String(value), value })),
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(value => ({
    text: String(value),
    value,
  })),
)

/** A string whose characters are escaped or not, surrogates without their other half included. */
const strings = (content: fc.Arbitrary<string>): fc.Arbitrary<Spelled> =>
  fc.tuple(content, fc.infiniteStream(fc.boolean())).map(([value, isEscaped]) => ({
    value,
    text: `"${[...value].map(character => spellCharacter(character, isEscaped.next().value)).join('')}"`,
  }))

function spellCharacter(character: string, isEscaped: boolean): string {
  const mustBe = /["\\\x00-\x1f]|^[\ud800-\udfff]$/.test(character)
  if (!isEscaped && !mustBe) return character
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')
}

export const anyText = fc.string({ unit: 'binary', maxLength: 8 })
/** Few, so that some are doubled and some are those that every object inherits. */
const anyKey = fc.oneof(fc.constantFrom('a', 'b', '7', '__proto__', 'constructor', 'id', 'ü'), anyText)

/** Any value, with any white space, spelling and doubled keys. */
export const spelled: fc.Arbitrary<Spelled> = fc.letrec<{ value: Spelled }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    numbers,
    words,
    strings(anyText),
    fc.array(tie('value'), { maxLength: 4 }).chain(joinList),
    fc.array(fc.tuple(strings(anyKey), tie('value')), { maxLength: 4 }).chain(joinObject),
  ),
})).value

function joinList(items: Spelled[]): fc.Arbitrary<Spelled> {
  const texts = items.map(({ text }) => fc.constant(text))
  return joined('[]', texts).map(text => ({ text, value: items.map(({ value }) => value) }))
}

/** An object of these members. The last of several equal keys counts. */
function joinObject(members: readonly (readonly [Spelled, Spelled])[]): fc.Arbitrary<Spelled> {
  const values = members.map(([key, { value }]) => [key.value, value])
  return joined('{}', members.map(memberText)).map(text => ({ text, value: Object.fromEntries(values) }))
}

function memberText([key, value]: readonly [Spelled, Spelled]): fc.Arbitrary<string> {
  return between.map(([left, right]) => `${key.text}${left}:${right}${value.text}`)
}

function joined(brackets: string, parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  const spaced = parts.map(part => fc.tuple(space, part, space).map(texts => texts.join('')))
  return fc
    .tuple(space, ...spaced)
    .map(([inner, ...texts]) => `${brackets[0]}${texts.length > 0 ? texts.join(',') : inner}${brackets[1]}`)
}

/** An object with the members m0, m1 and so on, and where each stands in the text. */
export interface SpelledObject {
  text: string
  value: Record<string, unknown>
  members: { start: number; valueStart: number; end: number }[]
}

/** Objects with members of any kind, between an optional mark and an optional line end. */
export const spelledObjects: fc.Arbitrary<SpelledObject> = fc
  .array(spelled, { minLength: 1, maxLength: 5 })
  .chain(values =>
    fc.tuple(
      fc.constantFrom('{', '\ufeff{', '\ufeff \r\n{'),
      fc.constantFrom('}', '}\n', '}\r\n', ' } \n'),
      fc.tuple(
        ...values.map((value, n) =>
          fc.tuple(space, strings(fc.constant(`m${n}`)), between, fc.constant(value), space),
        ),
      ),
    ),
  )
  .map(([open, close, members]) => {
    const object: SpelledObject = { text: open, value: {}, members: [] }
    for (const [n, [lead, key, [left, right], { text, value }, trail]] of members.entries()) {
      const start = object.text.length + (n > 0 ? 1 : 0) + lead.length
      const valueStart = start + key.text.length + left.length + 1 + right.length
      object.text += `${n > 0 ? ',' : ''}${lead}${key.text}${left}:${right}${text}${trail}`
      object.members.push({ start, valueStart, end: valueStart + text.length })
      object.value[`m${n}`] = value
    }
    object.text += close
    return object
  })
