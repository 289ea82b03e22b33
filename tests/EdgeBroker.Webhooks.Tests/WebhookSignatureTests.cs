using EdgeBroker.Webhooks.Delivery;

namespace EdgeBroker.Webhooks.Tests;

/// <summary>Signatures, against a value that was computed elsewhere.</summary>
public sealed class WebhookSignatureTests
{
    [Fact]
    public void It_is_that_of_Standard_Webhooks()
    {
        Assert.True(WebhookSignature.TryReadSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLKSw\n", out byte[] key));
        Assert.Equal(
            "v1,SyXkWn/MGzl/k4oUkCS3sNkRlk24+z202qhCGFIwvLA=",
            WebhookSignature.Sign([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}"u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLKSw")]
    [InlineData("whsec_c2hvcnQ=")]
    [InlineData("whsec_not base 64 at all, but long enough")]
    public void What_is_no_secret_is_none(string text) => Assert.False(WebhookSignature.TryReadSecret(text, out _));
}
