"""What the web pages weigh and cost a browser, and pictures of them."""
