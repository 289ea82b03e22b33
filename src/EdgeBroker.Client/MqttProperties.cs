using System.Collections;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>The 5.0 properties to be sent in a packet, in order. Whether they belong in it is checked when it is made. Not written in 3.1.1.</summary>
public sealed class MqttProperties : IEnumerable<MqttProperty>
{
    private readonly List<MqttProperty> _properties = [];

    /// <summary>Number of properties.</summary>
    public int Count => _properties.Count;

    /// <summary>Adds an integer.</summary>
    public void Add(PropertyId id, uint value) => _properties.Add(new MqttProperty(id, value, default, default));

    /// <summary>Adds a string.</summary>
    public void Add(PropertyId id, string value) => _properties.Add(new MqttProperty(id, 0, default, Encode(value)));

    /// <summary>Adds binary data, which must not change from now on.</summary>
    public void Add(PropertyId id, ReadOnlyMemory<byte> value) => _properties.Add(new MqttProperty(id, 0, default, value));

    /// <summary>Adds a user property; names may repeat.</summary>
    public void AddUserProperty(string name, string value) => _properties.Add(new MqttProperty(PropertyId.UserProperty, 0, Encode(name), Encode(value)));

    /// <summary>Whether the property is among them.</summary>
    public bool Has(PropertyId id) => _properties.Exists(p => p.Id == id);

    /// <inheritdoc/>
    public IEnumerator<MqttProperty> GetEnumerator() => _properties.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The properties as they stand in a PUBLISH, without the property length.</summary>
    /// <exception cref="ArgumentException">One of them does not belong in a PUBLISH.</exception>
    public byte[] EncodeForPublish()
    {
        Span<byte> initial = stackalloc byte[256];
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Publish, initial);
        try
        {
            AddTo(ref builder);
            return builder.Block.Bytes.ToArray();
        }
        finally
        {
            builder.Dispose();
        }
    }

    internal void AddTo(ref PropertyBuilder builder)
    {
        foreach (MqttProperty property in _properties)
        {
            if (property.Id == PropertyId.UserProperty) builder.AddUserProperty(property.Name.Span, property.Value.Span);
            else if (IsText(property.Id)) builder.Add(property.Id, property.Value.Span);
            else builder.Add(property.Id, property.Number);
        }
    }

    private static bool IsText(PropertyId id) => id is PropertyId.ContentType or PropertyId.ResponseTopic or PropertyId.CorrelationData
        or PropertyId.AuthenticationMethod or PropertyId.AuthenticationData or PropertyId.ReasonString or PropertyId.ServerReference;

    private static byte[] Encode(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > Utf8Text.MaxBytes) throw new ArgumentException("A property's text holds at most 65,535 bytes.", nameof(text));
        if (!Utf8Text.IsValid(bytes)) throw new ArgumentException("A property's text must not hold U+0000.", nameof(text));
        return bytes;
    }
}
