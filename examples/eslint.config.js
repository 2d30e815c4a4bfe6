export { node as default } from '../eslint.config.js'
