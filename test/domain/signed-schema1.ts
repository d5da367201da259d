/** What docker-registry 2.8.2 answered for a schema 2 image when no Accept was sent, byte for byte. */
export const SIGNED_SCHEMA1 = `{
   "schemaVersion": 1,
   "name": "t",
   "tag": "v",
   "architecture": "amd64",
   "fsLayers": [
      {
         "blobSum": "sha256:85cea451eec057fa7e734548ca3ba6d779ed5836a3f9de14b8394575ef0d7d8e"
      }
   ],
   "history": [
      {
         "v1Compatibility": "{\\"architecture\\":\\"amd64\\",\\"config\\":{},\\"id\\":\\"e59729f206acb933a3eabef8ebbfac195aa8bfe0e12e7dce64e0005fc08b2765\\",\\"os\\":\\"linux\\"}"
      }
   ],
   "signatures": [
      {
         "header": {
            "jwk": {
               "crv": "P-256",
               "kid": "4KRP:3HQM:73HQ:SYKR:QJPG:O4KP:MFWL:EOMW:BKMF:V5ZS:7YMP:E7WB",
               "kty": "EC",
               "x": "vq9JUBLsl3_iFG84wgtwgkIh4_Zwl5KLXewLGZLdDUg",
               "y": "Dfv90xoKau804-mrvrLnZG_OqGOvQPzCuNxxk9x2u78"
            },
            "alg": "ES256"
         },
         "signature": "gNnxM2WX1w3IqAQLrWYHtub6iXES3AqJ2J-2lJxkApgv8RB0fbum77vHKcDfqBTrxj65e2W1TF6IlPxBwkG-Ew",
         "protected": "eyJmb3JtYXRMZW5ndGgiOjQxOSwiZm9ybWF0VGFpbCI6IkNuMCIsInRpbWUiOiIyMDI2LTExLTIxVDAyOjU5OjM0WiJ9"
      }
   ]
}`;

/** The Docker-Content-Digest of that answer. */
export const SIGNED_SCHEMA1_DIGEST = 'sha256:1b98b2936e8d0d0cff83ca1c9792b6cafa5d4fc9fb60e50159deaeac9998abfa';
