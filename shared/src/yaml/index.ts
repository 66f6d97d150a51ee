export { MAX_YAML_BYTES, parseYaml } from './parse-yaml.js';
