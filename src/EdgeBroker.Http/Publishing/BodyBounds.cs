using System.Text.Json;
using EdgeBroker.Http.Routing;

namespace EdgeBroker.Http.Publishing;

/// <summary>
/// Looks a body over before objects are made of it: of two bytes of JSON an object of fifty becomes, so a body within its bound in bytes may be beyond all
/// bounds in memory.
/// </summary>
internal static class BodyBounds
{
    // A hundred messages with two hundred user properties each.
    private const int MostTokens = 100_000;

    /// <summary>Whether it is an array, and not of too much.</summary>
    /// <param name="body">The body.</param>
    /// <param name="mostItems">Items of the array, at most.</param>
    /// <exception cref="HttpProblem">It holds too much.</exception>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static bool IsArray(ReadOnlySpan<byte> body, int mostItems)
    {
        var reader = new Utf8JsonReader(body);
        if (!reader.Read()) return false;
        bool isArray = reader.TokenType == JsonTokenType.StartArray;
        int itemDepth = isArray ? 1 : 0;
        int items = 0;
        for (int tokens = 0; reader.Read(); tokens++)
        {
            if (tokens > MostTokens) throw new HttpProblem(ProblemKind.InvalidBody, $"the body holds more than {MostTokens} values and names");
            bool isItem = isArray && reader.CurrentDepth == itemDepth && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray);
            if (isItem && ++items > mostItems)
            {
                throw new HttpProblem(ProblemKind.InvalidBody, $"at most {mostItems} messages at once");
            }

            // Kept as the bytes it is.
            bool isName = reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == itemDepth + 1;
            if (isName && reader.ValueTextEquals("payload_json"u8)) reader.Skip();
        }

        return isArray;
    }
}
