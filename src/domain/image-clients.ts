/** The clients whose requests manifix can send in their place. */
export const IMAGE_CLIENTS = ['curl', 'containerd', 'dockerd', 'skopeo', 'crane'] as const;
export type ImageClientName = (typeof IMAGE_CLIENTS)[number];

export function isImageClient(name: string): name is ImageClientName {
  return IMAGE_CLIENTS.some((client) => client === name);
}
