namespace EdgeBroker.Configuration;

/// <summary>One name a table may hold, and what becomes of its value.</summary>
internal abstract class SchemaKey<T>(string name, bool isRequired)
    where T : class
{
    public string Name { get; } = name;

    public bool IsRequired { get; } = isRequired;

    /// <summary>What a person should write, for errors: "true or false".</summary>
    public abstract string Expected { get; }

    public abstract T Bind(T owner, TomlEntry entry, BindContext context);
}
