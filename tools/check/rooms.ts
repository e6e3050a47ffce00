/** One row of the table of rooms in ARCHITECTURE.md. */
export interface Room {
  name: string
  /** Rooms it may import besides itself; packages are not rooms. */
  mayImport: string[]
}

const row = /^\| `(?<name>[a-z]+)` \|[^|]*\|(?<arrows>[^|]*)\|/gm

/** Reads the table of rooms: `| room | what it is | may import |`. The third column lists rooms in code marks, `all but` some of them, or nothing. */
export function readRooms(architecture: string): Room[] {
  const rows = [...architecture.matchAll(row)].map((match) => ({
    name: match.groups?.['name'] ?? '',
    arrows: match.groups?.['arrows'] ?? '',
  }))
  const names = rows.map((each) => each.name)
  return rows.map(({ name, arrows }) => {
    const listed = [...arrows.matchAll(/`([a-z]+)`/g)].map((match) => match[1] ?? '').filter((each) => names.includes(each))
    const allBut = arrows.includes('all but')
    return { name, mayImport: allBut ? names.filter((each) => each !== name && !listed.includes(each)) : listed }
  })
}
