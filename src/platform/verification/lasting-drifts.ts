import { pause } from '../timing';

/** How often a difference is looked at again, and the pause before each look. */
const LOOKS = 20;
const LOOK_EVERY_MS = 250;

interface Suspect {
  readonly found: string;
}

/**
 * Of values that differed from their source, those that still differ and have not changed for five
 * seconds. A cache follows change capture with a delay, so a difference alone is no drift.
 * @param nameOf what identifies a suspect
 * @param compare returns those of the suspects that still differ
 */
export async function lastingDrifts<S extends Suspect>(
  suspects: readonly S[],
  nameOf: (suspect: S) => string,
  compare: (suspects: readonly S[]) => Promise<readonly S[]>,
): Promise<readonly S[]> {
  // A scan of Redis may return a key twice.
  let lasting: readonly S[] = [...new Map(suspects.map((each) => [nameOf(each), each])).values()];
  for (let look = 1; lasting.length > 0 && look <= LOOKS; look++) {
    await pause(LOOK_EVERY_MS);
    const found = new Map(lasting.map((each) => [nameOf(each), each.found]));
    const differing = await compare(lasting);
    lasting = differing.filter((each) => found.get(nameOf(each)) === each.found);
  }
  return lasting;
}
