import type { Incident } from "./incident";

/** The last incidents, in memory. */
export interface IncidentStore {
  add(incident: Incident): void;
  /** Puts an incident in the place of the one with its id; nothing where that was dropped. */
  update(incident: Incident): void;
  get(id: string): Incident | undefined;
  /** The newest first. */
  all(): readonly Incident[];
}

export const MAX_INCIDENTS = 100;

/** Of all incidents together, in characters of JSON. A character takes one byte, or two where the text is not Latin. */
export const MAX_TOTAL_CHARACTERS = 1_048_576;

export function createIncidentStore(): IncidentStore {
  // A map keeps the order in which the ids were added.
  const kept = new Map<string, { readonly incident: Incident; readonly characters: number }>();
  let total = 0;

  function set(incident: Incident): void {
    const characters = JSON.stringify(incident).length;
    total += characters - (kept.get(incident.id)?.characters ?? 0);
    kept.set(incident.id, { incident, characters });
    for (const [id, oldest] of kept) {
      if (kept.size <= MAX_INCIDENTS && total <= MAX_TOTAL_CHARACTERS) return;
      kept.delete(id);
      total -= oldest.characters;
    }
  }

  return {
    add: set,
    update: (incident) => {
      if (kept.has(incident.id)) set(incident);
    },
    get: (id) => kept.get(id)?.incident,
    all: () => [...kept.values()].map(({ incident }) => incident).toReversed(),
  };
}
