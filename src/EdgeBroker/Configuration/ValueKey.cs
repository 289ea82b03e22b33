namespace EdgeBroker.Configuration;

/// <summary>A key with one value of some kind.</summary>
internal sealed class ValueKey<T, TValue>(string name, ValueKind<TValue> kind, Func<T, TValue, T> set, bool isRequired)
    : SchemaKey<T>(name, isRequired)
    where T : class
{
    public override string Expected => kind.Expected;

    public override T Bind(T owner, TomlEntry entry, BindContext context) =>
        kind.TryRead(entry, context, out TValue value) ? set(owner, value) : owner;
}
