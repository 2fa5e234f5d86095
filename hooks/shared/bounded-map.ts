// A map that forgets its oldest entries, for what the kernel never says is gone.
export class BoundedMap<K, V> extends Map<K, V> {
  constructor(readonly limit: number) {
    super()
  }

  override set(key: K, value: V): this {
    this.delete(key)
    super.set(key, value)
    for (const [oldest] of this) {
      if (this.size <= this.limit) break
      this.delete(oldest)
    }
    return this
  }
}
