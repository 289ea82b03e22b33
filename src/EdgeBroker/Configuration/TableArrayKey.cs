namespace EdgeBroker.Configuration;

/// <summary>A key that is any number of tables.</summary>
internal sealed class TableArrayKey<T, TChild>(
    string name, TableSchema<TChild> schema, Func<TomlTable, TChild> create, Func<T, List<TChild>, T> set)
    : SchemaKey<T>(name, isRequired: false)
    where T : class
    where TChild : class
{
    public override string Expected => $"tables {schema.Title}";

    public override T Bind(T owner, TomlEntry entry, BindContext context)
    {
        if (entry.Node is TomlTableArray tables)
        {
            var children = new List<TChild>(tables.Tables.Count);
            foreach (TomlTable table in tables.Tables) children.Add(schema.Bind(table, create(table), context));
            return set(owner, children);
        }

        context.Errors.Add(entry.Node.Position, entry.Node is TomlTable { IsInline: false }
            ? $"[{Name}] may stand several times and is written {schema.Title}"
            : $"\"{Name}\" is a list of tables, each written {schema.Title}; found {ValueText.Describe(entry.Node)}");
        return owner;
    }
}
