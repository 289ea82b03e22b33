using EdgeBroker.Fuzz;

namespace EdgeBroker.Protocol.Tests.Random;

/// <summary>A property to be written.</summary>
internal sealed record RandomProperty(int Id, string Type, uint Number, byte[] Name, byte[] Value)
{
    public (int Id, string Value) Expected => (Id, Type switch
    {
        "pair" => Fields.Pair(Name, Value),
        "text" or "binary" => Fields.Bytes(Value),
        _ => Fields.Number(Number),
    });

    public void AddTo(ref PropertyBuilder builder)
    {
        switch (Type)
        {
            case "pair": builder.AddUserProperty(Name, Value); break;
            case "text" or "binary": builder.Add((PropertyId)Id, Value); break;
            default: builder.Add((PropertyId)Id, Number); break;
        }
    }
}
