export * from '#server/config-store/face.ts'
export { openConfigStore, type ConfigStoreSettings } from '#server/config-store/config-store.ts'
export { BadKeyFileError, SealBrokenError, secretKey } from '#server/config-store/seal.ts'
export { isReference, secretFields, type SecretFields } from '#server/config-store/secrets.ts'
