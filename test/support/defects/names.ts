import { errorAnswer } from '../double/message.ts';
import { type DefectTable, refuse } from './defect.ts';

/** Registries that insist on how they are asked: the Docker Hub on `library/`, others on queries that they know. */
export const nameDefects: DefectTable = {
  unofficial: refuse(
    (_, route) => 'repository' in route && route.repository === 'unofficial',
    () =>
      errorAnswer(401, 'UNAUTHORIZED', 'authentication required', [
        { Type: 'repository', Class: '', Name: 'unofficial', Action: 'pull' },
      ]),
  ),
  'strict-query': refuse(
    ({ query }) => query.has('ns'),
    () => errorAnswer(400, 'UNSUPPORTED', 'unknown parameter ns'),
  ),
};
