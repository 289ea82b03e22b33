using System.Text.Unicode;

namespace EdgeBroker.Protocol;

/// <summary>The rules for UTF-8 encoded strings (1.5.4).</summary>
public static class Utf8Text
{
    /// <summary>Longest string in bytes: its length is two bytes on the wire.</summary>
    public const int MaxBytes = ushort.MaxValue;

    /// <summary>
    /// Whether <paramref name="text"/> is well-formed UTF-8, which excludes surrogates and overlong forms, and holds no U+0000
    /// [MQTT-1.5.4-1], [MQTT-1.5.4-2]. A byte order mark is an ordinary character.
    /// </summary>
    public static bool IsValid(ReadOnlySpan<byte> text) => !text.Contains((byte)0) && Utf8.IsValid(text);
}
