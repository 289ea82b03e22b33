using System.Text;
using EdgeBroker.Configuration;
using EdgeBroker.Testing;

namespace EdgeBroker.Tests.Configuration;

/// <summary>Whatever a file holds, the answer is a configuration or errors, each on one line: never an exception.</summary>
public sealed class MutationTests
{
    private const int Rounds = 1_500;

    private static readonly string[] Pieces =
    [
        "[", "]", "[[", "]]", "{", "}", "=", "\"", "'", "\"\"\"", "'''", "#", "\n", "\r", "\r\n", "\t", "\\", "\\u12", "\0", "${", "${X}", "$${", "}",
        "é", "\U0001F600", "\uFEFF", "\u202E", ".", ",", "-", "_", "0x", "1e9", "nan", "inf", "true", "1979-05-27T07:32:00Z", "99999999999999999999",
        "[mqtt]", "[[listener]]", "[listener.tls]", "[mqtt.max_qos]", "mqtt.max_qos", "protocol", "a.b.c = 1\n", "x = { y = { z = [ {}, 1 ] } }\n",
    ];

    [Fact]
    public void A_mutated_file_is_valid_or_has_errors()
    {
        string seed = File.ReadAllText(Path.Combine(Repository.Root, "broker.toml")) + "\n[[listener]]\nprotocol = \"mqtt\"\naddress = \"[::1]:1883\"\n";
        using var directory = new TemporaryDirectory();
        int valid = 0;
        for (int round = 0; round < Rounds; round++)
        {
            var random = new Random(round);
            string text = Mutate(seed, random);
            directory.Write("broker.toml", text);
            try
            {
                var loader = new ConfigurationLoader(_ => null, directory.Path);
                BrokerConfiguration? configuration = loader.Load("broker.toml", out string[] errors);
                Assert.Equal(configuration is null, errors.Length > 0);
                Assert.All(errors, error => Assert.DoesNotContain(error, c => char.IsControl(c)));
                Assert.All(errors, error => Assert.StartsWith("broker.toml", error, StringComparison.Ordinal));
                valid += configuration is null ? 0 : 1;
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"round {round}: {e}\n{text}");
            }
        }

        // Both answers occur, so the test looks at what it means to.
        Assert.InRange(valid, 1, Rounds - 1);
    }

    private static string Mutate(string seed, Random random)
    {
        var text = new StringBuilder(seed);
        for (int count = random.Next(1, 6); count > 0 && text.Length > 0; count--)
        {
            int at = random.Next(text.Length);
            int length = Math.Min(random.Next(1, random.Next(2, 200)), text.Length - at);
            switch (random.Next(5))
            {
                case 0:
                    text.Remove(at, length);
                    break;
                case 1:
                    text.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
                case 2:
                    text[at] = (char)random.Next(random.Next(2) == 0 ? 128 : 0xD800);
                    break;
                case 3:
                    text.Insert(random.Next(text.Length), text.ToString(at, length));
                    break;
                default:
                    text.Length = at;
                    break;
            }
        }

        return text.ToString();
    }
}
