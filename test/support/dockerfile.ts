/** One instruction of a Dockerfile, with its continuation lines joined and without comments. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** What stands between one FROM and the next. */
export interface Stage {
  readonly name: string;
  readonly image: string;
  readonly instructions: readonly Instruction[];
}

export interface Copy {
  /** The stage that is copied from; undefined for the build context. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly destination: string;
}

/** Splits a Dockerfile into its stages. ARGs in front of the first FROM are put in place of their names. */
export function parseDockerfile(text: string): Stage[] {
  const [globals, ...stages] = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split(/^(?=FROM )/m);
  const values = new Map([...(globals ?? '').matchAll(/^ARG (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]));
  return stages.map((stage) => {
    const instructions = [...stage.matchAll(/^([A-Z]+) (.+)$/gm)].map(([, name = '', rest = '']) => ({
      name,
      text: rest.trim(),
    }));
    const [, image = '', name = ''] = /^(\S+)(?: AS (\S+))?$/.exec(instructions[0]?.text ?? '') ?? [];
    const substituted = image.replaceAll(/\$\{(\w+)\}/g, (_, variable: string) => values.get(variable) ?? '');
    return { name, image: substituted, instructions: instructions.slice(1) };
  });
}

/** The texts of all instructions of that name. */
export function instructionsNamed(stage: Stage, name: string): string[] {
  return stage.instructions.filter((instruction) => instruction.name === name).map(({ text }) => text);
}

/** The stage's COPY instructions. */
export function copiesOf(stage: Stage): Copy[] {
  return instructionsNamed(stage, 'COPY').map((text) => {
    const words = text.split(/\s+/);
    const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
    const paths = words.filter((word) => !word.startsWith('--'));
    return { from, sources: paths.slice(0, -1), destination: paths.at(-1) ?? '' };
  });
}

/** The variables that the stage sets. */
export function environmentOf(stage: Stage): Record<string, string> {
  const pairs = instructionsNamed(stage, 'ENV').flatMap((text) => [...text.matchAll(/(\w+)=(\S+)/g)]);
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value]));
}

/** The command of an ENTRYPOINT, CMD or HEALTHCHECK in exec form. */
export function execForm(text: string): string[] {
  return JSON.parse(text.slice(text.indexOf('['))) as string[];
}
