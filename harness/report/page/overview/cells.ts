/** The shape and the ending of a cell of the catalogue, which is named `<shape> × <ending>`. */
export function cellParts(name: string): { shape: string; ending: string } | undefined {
  const [shape, ...endings] = name.split(' × ')
  return shape && endings.length > 0 ? { shape, ending: endings.join(' × ') } : undefined
}
