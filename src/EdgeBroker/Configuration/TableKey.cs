namespace EdgeBroker.Configuration;

/// <summary>A key that is a table.</summary>
internal sealed class TableKey<T, TChild>(string name, TableSchema<TChild> schema, Func<T, TomlTable, TChild> get, Func<T, TChild, T> set)
    : SchemaKey<T>(name, isRequired: false)
    where T : class
    where TChild : class
{
    public override string Expected => $"a table {schema.Title}";

    public override T Bind(T owner, TomlEntry entry, BindContext context)
    {
        if (entry.Node is TomlTable table) return set(owner, schema.Bind(table, get(owner, table), context));
        context.Errors.Add(entry.Node.Position, entry.Node is TomlTableArray { Tables: [{ IsInline: false }, ..] }
            ? $"[[{Name}]] is one table, written {schema.Title}"
            : $"\"{Name}\" is a table, written {schema.Title}; found {ValueText.Describe(entry.Node)}");
        return owner;
    }
}
