import type { HeaderList } from '../domain/headers.ts';

/** A sentence for people who look at an answer (distribution-spec, "Warnings": code 299, agent "-", no date). */
export function warning(text: string): HeaderList[number] {
  return ['Warning', `299 - "${text}"`];
}
