using EdgeBroker.Cli.Options;

namespace EdgeBroker.Tests.Configuration;

public sealed class OpenSslTests
{
    [Theory]
    [InlineData("[auth]\npassword_file = \"users\"", "2:17")]
    [InlineData("[auth.jwt]\nkey = { file = \"k\" }", "1:1")]
    [InlineData("[[listener]]\nprotocol = \"ws\"\naddress = \"127.0.0.1:80\"", "1:1")]
    [InlineData("[[listener]]\nprotocol = \"mqtts\"\naddress = \"127.0.0.1:8883\"\n[listener.tls]\ncert = \"a\"\nkey = \"b\"", "1:1")]
    public void Without_it_what_needs_it_is_an_error_and_nothing_is_read_that_would_end_the_process(string text, string place)
    {
        using var given = new Given(text) { HasOpenSsl = false };
        Assert.Equal([$"broker.toml:{place}: {OpenSsl.Missing}"], given.Errors());
    }

    [Fact]
    public void Plain_listeners_and_health_do_without_it()
    {
        using var given = new Given("""
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:1883"
            [[listener]]
            protocol = "http"
            address = "127.0.0.1:8080"
            serve = ["health"]
            """) { HasOpenSsl = false };
        given.Valid();
    }
}
