export * from '#server/config-store/face.ts'
export { openConfigStore, type ConfigStoreSettings } from '#server/config-store/config-store.ts'
export { BadKeyFileError, secretKey } from '#server/config-store/seal.ts'
export { isReference, type SecretFields } from '#server/config-store/secrets.ts'
