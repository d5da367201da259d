import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { within } from '../support/deadline.ts';

/** A client that sends a head and keeps the body open. */
export function openUpload(url: string, headers: Record<string, string>): ClientRequest {
  const upload = request(`${url}/v2/x/blobs/uploads/1`, { method: 'PATCH', agent: false, headers });
  upload.on('error', () => {});
  upload.flushHeaders();
  return upload;
}

/** The answer to it, as it begins. */
export async function answerTo(upload: ClientRequest): Promise<IncomingMessage> {
  const [answer] = await within('the answer', once(upload, 'response'));
  return answer;
}

/** A client on a bare socket that has sent the text. */
export async function rawClient(port: number, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}
