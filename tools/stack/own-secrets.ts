import { type SectionName, variablesThatAre } from '../../src/config/sections';

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment for a program that loads these sections of the configuration: without the secrets of all others. */
export const withOwnSecrets = (environment: Environment, sections: readonly SectionName[]): NodeJS.ProcessEnv => {
  const own = new Set(variablesThatAre('secret', sections));
  const others = variablesThatAre('secret').filter((name) => !own.has(name));
  const hidden = new Set(others.flatMap((name) => [name, `${name}_FILE`]));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !hidden.has(name)));
};
