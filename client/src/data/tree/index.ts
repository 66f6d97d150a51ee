export {
  type ArrayNode,
  type ArrayTree,
  type GroupNode,
  MAX_TEXTS,
  sizeOf,
  type TreeNode,
} from './array-tree.js';
export { TreeThread } from './tree-thread.js';
