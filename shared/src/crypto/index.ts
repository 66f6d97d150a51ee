export { u8, u16, u32, u64, f64, utf8, enc, concatBytes, hex, fromHex, equalBytes, wipe } from './bytes.js';
export { sha256, hkdf, hashJson } from './hash.js';
export { canonicalJson, canonicalJsonBytes, parseCanonicalJson } from './canonical-json.js';
export {
  isAcceptablePublicKey,
  publicKeyOf,
  type SignatureCheck,
  signEd25519,
  verifyEd25519,
} from './ed25519.js';
export {
  randomBytes,
  boxKeyPair,
  boxPublicKeyOf,
  boxBefore,
  boxSeal,
  boxOpen,
  secretboxSeal,
  secretboxOpen,
  type BoxKeyPair,
  type RandomSource,
} from './box.js';
export {
  LEAF_BYTES,
  MerkleHasher,
  leafHashOf,
  leftLeavesOf,
  nodeHashOf,
  rootOf,
  rootOfHashes,
  rootOfBytes,
  inclusionPath,
  inclusionPaths,
  verifyPath,
} from './merkle.js';
export { shamirSplit, shamirCombine, type Share } from './shamir.js';
export { Keystream } from './keystream.js';
