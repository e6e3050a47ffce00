import { join } from 'node:path'
import type { Log } from '#base/log.ts'
import type { Prompt } from '#contract/documents/prompt.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import type { PromptSound } from '#server/flows/flow-runner.ts'
import { contentFile } from '#server/prompts/prompt-files.ts'

/** Turns text into a sound file; the same text and voice give the same file without speaking again. */
export interface SpeechPort {
  synthesize(text: string, how: { language: string; voice?: string }): Promise<string>
}

export interface PromptNeeds {
  /** `<folder>/<tenant>/<file>`: sounds that companies brought. */
  folder: string
  speech: SpeechPort
  /** Length of a sound file in ms; null when it cannot be played. */
  lengthOf: (file: string) => Promise<number | null>
  log: Log
}

/** The sounds behind prompts: files as they are, texts spoken once and remembered. Prepared when a configuration is taken up, so that no call waits for speech. */
export class Prompts {
  #needs: PromptNeeds
  #ready = new WeakMap<Prompt, PromptSound | null>()

  constructor(needs: PromptNeeds) {
    this.#needs = needs
  }

  /** Makes every prompt of a configuration ready, one after the other. What cannot be had is logged and left out of what callers hear. */
  async prepare(tenant: string, config: CompiledConfig): Promise<void> {
    for (const prompt of config.prompts.values()) await this.#get(tenant, config, prompt)
  }

  /** The sounds of prompts, in order; at once when they are ready. */
  sounds(tenant: string, config: CompiledConfig, ids: readonly string[]): readonly PromptSound[] | Promise<readonly PromptSound[]> {
    if (ids.length === 0) return noSounds
    const prompts = ids.flatMap((id) => config.prompts.get(id) ?? [])
    if (prompts.every((prompt) => this.#ready.has(prompt))) return prompts.flatMap((prompt) => this.#ready.get(prompt) ?? [])
    return Promise.all(prompts.map((prompt) => this.#get(tenant, config, prompt))).then((found) => found.flatMap((sound) => sound ?? []))
  }

  /** A sound file was brought: prompts that lacked one when their version was made are made again when they are next asked for. The others keep theirs. */
  arrived(config: CompiledConfig, path: string): void {
    for (const prompt of config.prompts.values()) if (prompt.file === path && prompt.sha256 === undefined) this.#ready.delete(prompt)
  }

  /** The file of a sentence of our own, spoken once and remembered; null when there is no voice for it. */
  async spoken(text: string, language: string): Promise<string | null> {
    try {
      return await this.#needs.speech.synthesize(text, { language })
    } catch (fault) {
      this.#needs.log.warn('a sentence cannot be spoken', { language, why: fault instanceof Error ? fault.message : String(fault) })
      return null
    }
  }

  /** How long a prompt of a configuration that is not in force yet would last; null when it could not be heard. */
  async lengthOf(tenant: string, prompt: Prompt, language: string): Promise<number | null> {
    try {
      return await this.#needs.lengthOf(await this.#fileOf(tenant, prompt, language))
    } catch {
      return null
    }
  }

  async #get(tenant: string, config: CompiledConfig, prompt: Prompt): Promise<PromptSound | null> {
    const known = this.#ready.get(prompt)
    if (known !== undefined) return known
    const sound = await this.#make(tenant, config, prompt)
    this.#ready.set(prompt, sound)
    return sound
  }

  async #make(tenant: string, config: CompiledConfig, prompt: Prompt): Promise<PromptSound | null> {
    try {
      const file = await this.#fileOf(tenant, prompt, config.company.language)
      const ms = await this.#needs.lengthOf(file)
      if (ms === null) throw new Error('the file cannot be played')
      return { prompt: prompt.id, file, ms, ...(prompt.text !== undefined && { text: prompt.text }) }
    } catch (fault) {
      this.#needs.log.warn('prompt is not available', {
        tenant,
        prompt: prompt.id,
        why: fault instanceof Error ? fault.message : String(fault),
      })
      return null
    }
  }

  async #fileOf(tenant: string, prompt: Prompt, language: string): Promise<string> {
    if (prompt.file !== undefined) {
      const { folder, lengthOf } = this.#needs
      const content = prompt.sha256 === undefined ? null : contentFile(folder, tenant, prompt.sha256)
      if (content !== null && (await lengthOf(content)) !== null) return content
      // Better what lies there now than nothing.
      return join(folder, tenant, prompt.file)
    }
    return this.#needs.speech.synthesize(prompt.text ?? '', {
      language: prompt.language ?? language,
      ...(prompt.voice !== undefined && { voice: prompt.voice }),
    })
  }
}

const noSounds: readonly PromptSound[] = []
